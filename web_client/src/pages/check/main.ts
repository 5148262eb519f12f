import { checks } from '../../locales/checks'
import { mountPage } from '../../shared/page'
import CheckPage from './CheckPage.vue'

void mountPage(CheckPage, checks)
