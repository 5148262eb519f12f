import { trust } from '../../locales/home'
import { mountPage } from '../../shared/page'
import TrustPage from './TrustPage.vue'

void mountPage(TrustPage, trust)
