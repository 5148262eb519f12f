import { player } from '../../locales/library'
import { mountPage } from '../../shared/page'
import WatchPage from './WatchPage.vue'

void mountPage(WatchPage, player, true)
