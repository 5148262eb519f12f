import { mountPage } from '../../shared/page'
import HomePage from './HomePage.vue'

void mountPage(HomePage)
